"""The metrics of a process; with ``PROMETHEUS_MULTIPROC_DIR`` set, of all processes together."""

from prometheus_client import Counter, Histogram

REQUESTS = Counter(
    "protonpay_http_requests_total", "Answers by route and status.", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "protonpay_http_request_seconds",
    "Time from the first byte read to the answer made.",
    ["route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
WEBHOOK_ATTEMPTS = Counter(
    "protonpay_webhook_attempts_total",
    "Attempts to deliver by how they ended (`delivered`, `timeout` …) and the status' first digit.",
    ["outcome", "status"],
)
WEBHOOK_ATTEMPT_SECONDS = Histogram(
    "protonpay_webhook_attempt_seconds",
    "Time from the lookup of a receiver's name to the end of its answer.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 16),
)
JOBS = Counter("protonpay_jobs_total", "Jobs by name and end.", ["job", "end"])
JOB_SECONDS = Histogram("protonpay_job_seconds", "Time a job ran.", ["job"])
