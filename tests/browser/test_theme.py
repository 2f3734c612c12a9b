"""The element's colours and shapes: whatever theme is asked for, every text can be read."""

from typing import Any

import pytest
from playwright.async_api import Page

LEAST = 4.5
TONES = ("ok", "danger", "warn", "info", "discovery")
READ_ON = [
    *[("--ck-" + text, "--ck-" + ground) for ground in ("bg", "soft")
      for text in ("fg", "muted", "link", *TONES)],
    *[(f"--ck-{tone}", f"--ck-{tone}-soft") for tone in TONES],
    ("--ck-on-accent", "--ck-accent"),
]  # fmt: skip

# A host in these themes, one after another; then its properties, colours as [red, green, blue].
THEMED = """(themes) => {
  const host = document.createElement("div");
  document.body.replaceChildren(host);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(modules.themeStyles);
  host.attachShadow({mode: "open"}).adoptedStyleSheets = [sheet];
  for (const theme of themes) modules.applyTheme(host, theme ?? undefined);
  const canvas = document.createElement("canvas").getContext("2d");
  const read = (value) => {
    if (!CSS.supports("color", value)) return value;
    canvas.fillStyle = value;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const computed = getComputedStyle(host);
  const names = [...modules.themeStyles.matchAll(/--ck-[a-z-]+/g)].map(([name]) => name);
  return {
    scheme: host.dataset.scheme,
    colorScheme: computed.colorScheme,
    ...Object.fromEntries(names.map((name) => [name, read(computed.getPropertyValue(name))])),
  };
}"""

ACCENTS = ["#0FFF50", "#000", "white", "#808080", "rgb(37 99 235)", "hsl(0 90% 60%)", "#fde047",
           "oklch(0.7 0.2 330)", "rgba(120, 40, 200, 0.5)"]  # fmt: skip


def contrast(one: list[int], other: list[int]) -> float:
    """How well one colour is read on the other, as WCAG 2 counts it."""

    def luminance(color: list[int]) -> float:
        linear = [
            v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
            for v in (byte / 255 for byte in color)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


async def themed(page: Page, *themes: Any) -> dict[str, Any]:
    return await page.evaluate(THEMED, list(themes))


def unreadable(theme: dict[str, Any]) -> dict[tuple[str, str], float]:
    ratios = {(text, ground): contrast(theme[text], theme[ground]) for text, ground in READ_ON}
    return {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < LEAST}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_is_readable_on_its_ground(modules_page: Page, scheme: str) -> None:
    theme = await themed(modules_page, scheme)
    assert unreadable(theme) == {}
    assert theme["scheme"] == theme["colorScheme"] == scheme


@pytest.mark.parametrize("level", [0, 3])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ACCENTS)
async def test_every_text_is_readable_with_any_accent(
    modules_page: Page, accent: str, scheme: str, level: int
) -> None:
    color = {"accent": {"primary": accent, "level": level}}
    theme = await themed(modules_page, {"colorScheme": scheme, "color": color})
    assert unreadable(theme) == {}
    assert theme["--ck-link"] != theme["--ck-bg"]


@pytest.mark.parametrize(
    "color",
    [
        {"surface": {"background": "#fdf6e3", "foreground": "#657b83"}},
        {"surface": {"background": "#5a5a5a", "foreground": "#888888"}},
        {"surface": {"background": "#002b36", "foreground": "white"}},
        {"grayscale": {"hue": 220, "tint": 6, "shade": -1}},
        {"grayscale": {"hue": 30, "tint": 9, "shade": 4}},
        {
            "grayscale": {"hue": 30, "tint": 0, "shade": -4},
            "accent": {"primary": "red", "level": 2},
        },
    ],
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_is_readable_on_any_surface(
    modules_page: Page, color: dict[str, Any], scheme: str
) -> None:
    theme = await themed(modules_page, {"colorScheme": scheme, "color": color})
    assert unreadable(theme) == {}


async def test_a_bright_accent_carries_dark_text_and_a_dark_one_light_text(
    modules_page: Page,
) -> None:
    def accent(color: str) -> dict[str, Any]:
        return {"color": {"accent": {"primary": color, "level": 1}}}

    bright = await themed(modules_page, accent("#0FFF50"))
    assert bright["--ck-accent"] == [0x0F, 0xFF, 0x50]
    assert max(bright["--ck-on-accent"]) < 64
    dark = await themed(modules_page, accent("#123456"))
    assert min(dark["--ck-on-accent"]) > 192
    # a link is the accent itself where that can be read
    assert dark["--ck-link"] == [0x12, 0x34, 0x56]


async def test_a_surface_is_the_one_that_was_asked_for(modules_page: Page) -> None:
    surface = {"background": "#fefae0", "foreground": "#283618"}
    theme = await themed(modules_page, {"color": {"surface": surface}})
    assert theme["--ck-bg"] == [0xFE, 0xFA, 0xE0]
    assert theme["--ck-fg"] == [0x28, 0x36, 0x18]


async def test_shapes_and_type_follow_the_option(modules_page: Page) -> None:
    theme = await themed(
        modules_page,
        {
            "radius": "sharp",
            "density": "compact",
            "typography": {
                "baseSize": 18,
                "fontFamily": "Georgia, serif",
                "fontFamilyMono": "Mono",
            },
        },
    )
    assert theme["--ck-radius"] == "3px"
    assert theme["--ck-gap"] == "12px"
    assert theme["--ck-size"] == "18px"
    assert theme["--ck-font"] == "Georgia, serif"
    assert theme["--ck-mono"] == "Mono"


@pytest.mark.parametrize(
    "theme",
    [
        None,
        "sepia",
        {"colorScheme": "sepia", "radius": "constructor", "density": "toString"},
        {"color": {"accent": {"primary": "no colour", "level": 1}}, "typography": {}},
    ],
)
async def test_what_no_theme_knows_is_the_default(modules_page: Page, theme: Any) -> None:
    assert await themed(modules_page, theme) == await themed(modules_page, "light")


async def test_a_theme_forgets_the_one_before(modules_page: Page) -> None:
    loud = {"radius": "sharp", "color": {"surface": {"background": "red", "foreground": "blue"}}}
    assert await themed(modules_page, loud, "dark") == await themed(modules_page, "dark")


async def test_a_font_of_the_option_is_registered_once(modules_page: Page) -> None:
    font = {"family": "Theme Sans", "src": "data:font/woff2,", "weight": 600, "style": "italic"}
    theme = {"typography": {"fontSources": [font]}}
    await themed(modules_page, theme, theme)
    faces = await modules_page.evaluate(
        """[...document.fonts].filter((face) => face.family.includes("Theme Sans"))
             .map((face) => [face.weight, face.style])"""
    )
    assert faces == [["600", "italic"]]
