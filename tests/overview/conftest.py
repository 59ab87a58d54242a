"""Lists are read while others write, on committed data; rates of a test's own."""

from tests.committed import open_house  # noqa: F401 - a fixture
from tests.web.conftest import rates  # noqa: F401 - a fixture
