"""An address to withdraw to is read by the camera or from a picture, where the browser can.

Chromium on Linux has no detector of its own: a stand-in decodes what the page hands to it. The
camera is Chromium's own, whose pictures come from a file.
"""

import io
from collections.abc import Callable, Iterator

import pytest
import segno
from playwright.sync_api import Browser, Page, expect

from protonpay.chains.networks import BASE, POLYGON, SOLANA
from protonpay.chains.uris import payment_uri
from protonpay.kernel.money import Usdc
from tests.actors import Actor
from tests.browser.driving import JSQR, Visit, launched, sign_in
from tests.browser.looking import USUAL
from tests.payouts.orders import WALLETS

pytestmark = pytest.mark.slow  # a real browser

_DETECTOR = """class BarcodeDetector {
  static getSupportedFormats = async () => ["qr_code"];
  async detect(source) {
    const image = await createImageBitmap(source);
    const drawn = new OffscreenCanvas(image.width, image.height).getContext("2d");
    drawn.drawImage(image, 0, 0);
    const { data } = drawn.getImageData(0, 0, image.width, image.height);
    const found = jsQR(data, image.width, image.height);
    return found ? [{ rawValue: found.data }] : [];
  }
}
window.BarcodeDetector = BarcodeDetector;"""
_REFUSED = """navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("Permission denied", "NotAllowedError");
};"""
_WIDE, _HIGH = 640, 480
_BLACK, _WHITE, _COLOURLESS = b"\x10", b"\xeb", b"\x80"


def filmed(text: str) -> bytes:
    """Return a film of one picture, a code (YUV4MPEG2, 4:2:0)."""
    rows = [bytes(row) for row in segno.make(text, error="m").matrix_iter(border=4)]
    scale = _HIGH // len(rows)
    side = (_WIDE - scale * len(rows)) // 2
    lines = [
        _WHITE * side
        + b"".join((_BLACK if dark else _WHITE) * scale for dark in row)
        + _WHITE * (_WIDE - side - scale * len(row))
        for row in rows
        for _ in range(scale)
    ]
    lines += [_WHITE * _WIDE] * (_HIGH - len(lines))
    grey = _COLOURLESS * (_WIDE * _HIGH // 2)
    head = f"YUV4MPEG2 W{_WIDE} H{_HIGH} F10:1 Ip A1:1 C420jpeg\n".encode()
    return head + b"FRAME\n" + b"".join(lines) + grey


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium with a camera, which looks at a request to pay on Base."""
    film = tmp_path_factory.mktemp("camera") / "code.y4m"
    film.write_bytes(filmed(payment_uri(BASE, WALLETS["Base"], Usdc(12_500_000))))
    # Nobody is there to allow it: the browser's own question is answered with yes.
    camera = ("device-for-media-stream", "ui-for-media-stream")
    with launched(
        *(f"--use-fake-{name}" for name in camera), f"--use-file-for-fake-video-capture={film}"
    ) as opened:
        yield opened


def _withdrawing(seen: Visit, actor: Actor, *, can: bool = True) -> Page:
    if can:
        seen.page.add_init_script(JSQR.read_text() + _DETECTOR)
    sign_in(seen, actor)
    seen.page.goto("/app/withdraw")
    return seen.page


def _show(page: Page, text: str) -> None:
    picture = io.BytesIO()
    segno.make(text, error="m").save(picture, kind="png", scale=8, border=4)
    file = {"name": "code.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    page.get_by_label("Read a picture").set_input_files(file)


def test_the_camera_reads_whom_to_pay_and_is_let_go(alice: Actor, visit: Callable[..., Visit]):
    seen = visit(viewport={"width": 360, "height": 800})
    page = _withdrawing(seen, alice)
    page.get_by_role("button", name="Scan a QR code").click()
    expect(page.locator("#walletAddress")).to_have_value(WALLETS["Base"])
    expect(page.locator("#network")).to_have_value("Base")
    expect(page.get_by_text("The address is read.")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.wait_for_function("document.querySelector('video').srcObject === null")
    assert seen.overflows() <= 0
    assert seen.violations() == []
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#amount")).to_have_value("")
    for language in ("en", "ru"):
        page.emulate_media(color_scheme=USUAL[language])
        page.goto(f"/app/withdraw?lang={language}")
        seen.shot(f"app-withdraw-scan-{language}-{USUAL[language]}-360")
        assert seen.overflows() <= 0
    assert (seen.strangers, seen.errors) == ([], [])


def test_a_camera_that_is_refused_changes_nothing(alice: Actor, visit: Callable[..., Visit]):
    seen = visit()
    seen.page.add_init_script(_REFUSED)
    page = _withdrawing(seen, alice)
    page.locator("#walletAddress").fill("kept")
    page.get_by_role("button", name="Scan a QR code").click()
    expect(page.get_by_text("The camera could not be opened.")).to_be_visible()
    expect(page.locator("#walletAddress")).to_have_value("kept")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_picture_is_read_and_only_an_address_of_ours_is_taken(
    alice: Actor, visit: Callable[..., Visit]
):
    page = _withdrawing(visit(), alice)
    address, chosen = page.locator("#walletAddress"), page.locator("#network")
    bare = f"ethereum:{WALLETS['Polygon']}"
    for text, network, taken in (
        (payment_uri(SOLANA, WALLETS["Solana"]), "Solana", WALLETS["Solana"]),
        (payment_uri(POLYGON, WALLETS["Polygon"]), "Polygon", WALLETS["Polygon"]),
        (f"ethereum:{WALLETS['Base']}@8453", "Base", WALLETS["Base"]),
        (bare, "Base", WALLETS["Polygon"]),  # which network nobody said: it stays
        (WALLETS["Base"], "Base", WALLETS["Base"]),
    ):
        _show(page, text)
        expect(address).to_have_value(taken)
        expect(chosen).to_have_value(network)
    for text, said in (
        (f"ethereum:{POLYGON.usdc}@1/transfer?address={WALLETS['Polygon']}", "another network"),
        (f"ethereum:{BASE.usdc}@137/transfer?address={WALLETS['Polygon']}", "another coin"),
        (f"ethereum:{BASE.usdc}@8453/approve?address={WALLETS['Polygon']}", "no QR code"),
        (f"solana:{WALLETS['Solana']}?spl-token={WALLETS['Solana']}", "another coin"),
        ("https://example.com/not-an-address-at-all", "no QR code"),
        (f"bitcoin:{WALLETS['Solana']}", "no QR code"),
    ):
        _show(page, text)
        expect(page.locator("#scan [role=status]")).to_contain_text(said)
        expect(address).to_have_value(WALLETS["Base"])
        expect(chosen).to_have_value("Base")


def test_a_browser_that_cannot_read_codes_offers_nothing(alice: Actor, visit: Callable[..., Visit]):
    seen = visit()
    page = _withdrawing(seen, alice, can=False)
    expect(page.locator("#walletAddress")).to_be_visible()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#scan")).to_be_hidden()
    assert seen.errors == []
