"""Whether everything can be read: contrasts by WCAG 2.2, computed from the theme's own tokens."""

import pytest

from app.widgets import theme

GROUNDS = (theme.BACKGROUND, theme.SURFACE, theme.RAISED, theme.BLACK)


def luminance(token):
    def linear(value):
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(token[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def test_the_formula_is_the_published_one():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize(
    ("token", "least"),
    [
        (theme.TEXT, 7.0),
        (theme.SECONDARY, 4.5),
        (theme.DISABLED, 4.5),
        (theme.ACCENT, 4.5),
        (theme.ATTENTION, 4.5),
        (theme.FAULT, 4.5),
        (theme.GOOD, 4.5),
        (theme.SECOND, 4.5),
    ],
)
def test_every_text_can_be_read_on_every_ground(token, least, ground):
    assert contrast(token, ground) >= least


def test_words_on_what_is_chosen_can_be_read():
    assert contrast(theme.BACKGROUND, theme.ACCENT) >= 4.5
    assert contrast(theme.TEXT, theme.HOVER) >= 7.0


def test_what_is_disabled_steps_back_behind_what_is_secondary():
    assert luminance(theme.DISABLED) < luminance(theme.SECONDARY)
