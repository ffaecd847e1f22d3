"""Colours, sizes and type of every window. Nothing else names a colour or a size (docs: look and words)."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

BACKGROUND = "#0E1215"
SURFACE = "#161B1F"
RAISED = "#1F262B"
HOVER = "#28323A"
LINE = "#2B343A"
TEXT = "#E8EDF0"
SECONDARY = "#9CA9B1"
DISABLED = "#828F97"  # 4.5:1 on raised fields as well
ACCENT = "#56B4E9"
ATTENTION = "#F0E442"
FAULT = "#FF7A66"
GOOD = "#3DDC97"
SECOND = "#E69F00"  # the second of two models; Okabe and Ito, as the accent
BLACK = "#000000"

# Space, px; nothing between.
XS, S, M, L, XL, XXL = 4, 8, 12, 16, 24, 32

BASE_PX = 13
CAPTION_PX = 11
LEAD_PX = 15
TITLE_PX = 20
WORD_PX = 28
# At 2 m a letter must grow with the screen, whatever the desktop's scale: 28 px at 1080 lines, 56 at 2160.
WORD_FRAC = 0.026
REFERENCE_LINES = 1080
SMALL_PICTURE_LINES = 720
UNSCALED_LINES = 2000  # from here on, unscaled letters are too small for everybody
RADIUS_PX = 6

STATUS_ROW_PX = 44
NOTICE_ROW_PX = 44
HATCH_PX = 8
TRANSPORT_PX = 56
EDGE_PX = 24
PANEL_PX = 312
DIALOG_PX = 520
CONTROL_PX = 32
ICON_PX = 18
WINDOW_ICON_PX = 64
CARD_PX = 132
THUMBNAIL_PX = (160, 90)
WINDOW_PX = (1280, 720)
MINIMUM_PX = (960, 600)
FRAME_PX = 40  # what a desktop puts around a window, above all
HIDE_AFTER_MS = 2000  # full screen, without the mouse

CAPTION, TITLE, LEAD, STRONG = "caption", "title", "lead", "strong"  # values of the `role` property

_FONT_SIZES = {CAPTION: CAPTION_PX, TITLE: TITLE_PX, LEAD: LEAD_PX, STRONG: BASE_PX}


def colour(token: str, opacity: float = 1.0) -> QColor:
    """A token as QColor."""
    value = QColor(token)
    value.setAlphaF(opacity)
    return value


def font(size_px: int = BASE_PX, *, bold: bool = False) -> QFont:
    """The desktop's own sans in `size_px`, with figures of equal width: numbers do not dance."""
    value = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    value.setPixelSize(size_px)
    value.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    value.setFeature(QFont.Tag("tnum"), 1)
    return value


def window_px(wanted: tuple[int, int], screen: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a window that lies within the screen, its frame too: the lower edge says for what
    the program is meant."""
    return min(wanted[0], screen[0]), min(wanted[1], screen[1] - FRAME_PX)


def word_px(window_height_px: int) -> int:
    """Height of the state word in a window of that height."""
    return max(WORD_PX, round(window_height_px * WORD_FRAC))


def answer_px(window_height_px: int) -> int:
    """Height of the word that answers a key in a window of that height."""
    return max(TITLE_PX, round(window_height_px * WORD_FRAC))


def line_scale(picture_height_px: int) -> float:
    """How much wider lines over the picture are than in a small window: seen from 2 m, not from the desk.

    3 px of a full screen with 1080 lines are 0.9 mm at 27 inches, 1.6 minutes of arc at 2 m.
    """
    return max(1.0, picture_height_px / SMALL_PICTURE_LINES)


def apply(application: QApplication) -> None:
    """Dark everywhere, whatever the desktop's theme."""
    application.setStyle("Fusion")
    application.styleHints().setColorScheme(Qt.ColorScheme.Dark)
    application.setPalette(_palette())
    application.setFont(font())
    application.setStyleSheet(_stylesheet())


def _palette() -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, token in (
        (role.Window, BACKGROUND),
        (role.Base, RAISED),
        (role.AlternateBase, SURFACE),
        (role.Button, RAISED),
        (role.Text, TEXT),
        (role.WindowText, TEXT),
        (role.ButtonText, TEXT),
        (role.BrightText, TEXT),
        (role.PlaceholderText, SECONDARY),
        (role.ToolTipBase, RAISED),
        (role.ToolTipText, TEXT),
        (role.Highlight, ACCENT),
        (role.HighlightedText, BACKGROUND),
        (role.Link, ACCENT),
        (role.Accent, ACCENT),
    ):
        palette.setColor(which, QColor(token))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(DISABLED))
    return palette


def _stylesheet() -> str:
    sizes = "\n".join(f'QLabel[role="{role}"] {{ font-size: {px}px; }}' for role, px in _FONT_SIZES.items())
    return f"""
QWidget {{ color: {TEXT}; font-size: {BASE_PX}px; }}
QMainWindow, QDialog, QWidget[surface="background"] {{ background: {BACKGROUND}; }}
QWidget[surface="panel"] {{ background: {SURFACE}; }}
QWidget[surface="black"] {{ background: {BLACK}; }}
QScrollArea {{ background: transparent; border: 0; }}
{sizes}
QLabel[role="{TITLE}"], QLabel[role="{STRONG}"], QLabel[role="{LEAD}"] {{ font-weight: 600; }}
QLabel[tone="secondary"] {{ color: {SECONDARY}; }}
QLabel[tone="attention"] {{ color: {ATTENTION}; }}
QLabel[tone="fault"] {{ color: {FAULT}; }}
QLabel[tone="good"] {{ color: {GOOD}; }}
QFrame[line="true"] {{ background: {LINE}; border: 0; max-height: 1px; min-height: 1px; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {LINE}; padding: {XS}px {S}px; }}

QPushButton, QToolButton {{
  background: {RAISED}; border: 1px solid {LINE}; border-radius: {RADIUS_PX}px;
  padding: 0 {M}px; min-height: {CONTROL_PX - 2}px;
}}
QPushButton:hover, QToolButton:hover {{ background: {HOVER}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {LINE}; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QLineEdit:focus {{ border: 2px solid {ACCENT}; }}
QPushButton:focus, QToolButton:focus, QCheckBox:focus {{ outline: none; }}
QPushButton:focus, QToolButton:focus {{ padding: 0 {M - 1}px; min-height: {CONTROL_PX - 4}px; }}
QPushButton:disabled, QToolButton:disabled {{ color: {DISABLED}; border-color: {RAISED}; }}
QPushButton[primary="true"] {{
  background: {ACCENT}; color: {BACKGROUND}; border-color: {ACCENT}; font-weight: 600;
}}
QPushButton[primary="true"]:hover {{ background: {TEXT}; border-color: {TEXT}; }}
QPushButton[primary="true"]:focus {{ border: 2px solid {TEXT}; }}
QPushButton[primary="true"]:disabled {{ background: {RAISED}; color: {DISABLED}; border-color: {RAISED}; }}
QPushButton[quiet="true"] {{ background: transparent; border-color: transparent; color: {SECONDARY}; }}
QPushButton[quiet="true"]:hover {{ background: {HOVER}; color: {TEXT}; }}
QPushButton[quiet="true"]:focus {{ border: 2px solid {ACCENT}; }}
QToolButton[flat="true"] {{
  background: transparent; border-color: transparent; padding: 0;
  min-width: {CONTROL_PX}px; max-width: {CONTROL_PX}px;
}}
QToolButton[flat="true"]:hover {{ background: {HOVER}; }}
QToolButton[flat="true"]:focus {{ border-color: {ACCENT}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton[fold="true"] {{
  background: transparent; border: 2px solid transparent; padding: 0; text-align: left; font-weight: 600;
}}
QToolButton[fold="true"]:hover {{ background: {HOVER}; }}
QToolButton[fold="true"]:focus {{ border: 2px solid {ACCENT}; }}
QToolButton[segment="true"], QToolButton[segment="true"]:focus {{ padding: 0; }}
QToolButton[segment="true"]:checked {{ background: {ACCENT}; color: {BACKGROUND}; border-color: {ACCENT}; }}
QToolButton[segment="true"]:checked:focus {{ border: 2px solid {TEXT}; }}
QToolButton[polyp="true"]:checked {{ background: {LINE}; border-color: {TEXT}; }}
QToolButton[place="true"] {{
  background: transparent; border: 2px solid transparent; padding: {XS}px 0; font-size: {CAPTION_PX}px;
  color: {SECONDARY};
}}
QToolButton[place="true"]:hover {{ background: {HOVER}; }}
QToolButton[place="true"]:checked {{ background: {RAISED}; color: {TEXT}; }}
QToolButton[place="true"]:focus {{ border: 2px solid {ACCENT}; padding: {XS}px 0; }}
QListView {{ background: transparent; border: 0; outline: 0; }}
QListView:focus {{ border: 1px solid {ACCENT}; }}
QTreeView {{ background: transparent; border: 0; outline: 0; }}
QTreeView:focus {{ border: 1px solid {ACCENT}; }}
QTreeView::item {{ border: 0; }}
QToolButton[switch="true"]:checked {{ color: {GOOD}; border-color: {GOOD}; }}
QToolButton[switch="true"]:!checked {{ color: {ATTENTION}; border-color: {ATTENTION}; }}
QToolButton[switch="true"]:focus {{ border: 2px solid {ACCENT}; }}

QPushButton[card="true"] {{
  background: {SURFACE}; border: 1px solid {LINE}; border-radius: {RADIUS_PX}px; padding: 0;
  min-height: {CARD_PX - 2}px; text-align: left;
}}
QPushButton[card="true"]:hover {{ background: {RAISED}; border-color: {DISABLED}; }}
QPushButton[card="true"]:checked {{ background: {RAISED}; border: 1px solid {ACCENT}; }}
QPushButton[card="true"]:focus {{ border: 2px solid {ACCENT}; padding: 0; min-height: {CARD_PX - 4}px; }}
QFrame[drop="true"] {{ border: 1px dashed {LINE}; border-radius: {RADIUS_PX}px; }}
QPushButton[recent="true"] {{
  background: transparent; border: 2px solid transparent; padding: 0; min-height: {THUMBNAIL_PX[1] + S}px;
}}
QPushButton[recent="true"]:hover {{ background: {SURFACE}; }}
QPushButton[recent="true"]:focus {{
  border: 2px solid {ACCENT}; padding: 0; min-height: {THUMBNAIL_PX[1] + S}px;
}}

QComboBox, QLineEdit {{
  background: {RAISED}; border: 1px solid {LINE}; border-radius: {RADIUS_PX}px;
  padding: 0 {S}px; min-height: {CONTROL_PX - 2}px; selection-background-color: {ACCENT};
  selection-color: {BACKGROUND};
}}
QComboBox:focus, QLineEdit:focus {{ padding: 0 {S - 1}px; min-height: {CONTROL_PX - 4}px; }}
QComboBox:hover {{ background: {HOVER}; }}
QComboBox:disabled {{ color: {DISABLED}; }}
QComboBox::drop-down {{ border: 0; width: {XL}px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox QAbstractItemView {{
  background: {RAISED}; border: 1px solid {LINE}; selection-background-color: {ACCENT};
  selection-color: {BACKGROUND}; outline: 0; padding: {XS}px;
}}
QComboBox QAbstractItemView::item {{ padding: {XS}px; }}
QComboBox QAbstractItemView::item:selected {{ background: {ACCENT}; color: {BACKGROUND}; }}
QComboBox QAbstractItemView::item:disabled {{ background: {RAISED}; color: {DISABLED}; }}
QMenu {{ background: {RAISED}; border: 1px solid {LINE}; padding: {XS}px; }}
QMenu::item {{ padding: {XS + 2}px {XL}px {XS + 2}px {M}px; border-radius: {XS}px; }}
QMenu::item:selected {{ background: {ACCENT}; color: {BACKGROUND}; }}
QMenu::item:disabled {{ color: {DISABLED}; }}
QMenu::icon {{ padding-left: {S}px; }}
QFileDialog QToolButton {{ padding: 0; min-width: {CONTROL_PX}px; }}
QMenu::separator {{ height: 1px; background: {LINE}; margin: {XS}px; }}

QSlider {{ min-height: {XL}px; border-radius: {XS}px; border: 1px solid transparent; }}
QSlider:focus {{ border: 1px solid {ACCENT}; }}
QSlider::groove:horizontal, QSlider::sub-page:horizontal {{
  height: {XS}px; background: {LINE}; border-radius: {XS // 2}px; margin: 0 {XS}px;
}}
QSlider::sub-page:horizontal {{ background: {ACCENT}; }}
QSlider::sub-page:horizontal:disabled {{ background: {LINE}; }}
QSlider::handle:horizontal {{
  background: {TEXT}; width: {M + 2}px; margin: -{XS + 1}px -{XS}px; border-radius: {M // 2 + 1}px;
}}
QSlider::handle:horizontal:hover {{ background: {ACCENT}; }}
QSlider::handle:horizontal:disabled {{ background: {DISABLED}; }}
QProgressBar {{ background: {LINE}; border: 0; border-radius: {XS}px; min-height: {S}px; max-height: {S}px; }}
QProgressBar::chunk {{ background: {ACCENT}; border-radius: {XS}px; }}
QScrollBar:vertical {{ background: transparent; width: {S}px; }}
QScrollBar::handle:vertical {{ background: {LINE}; border-radius: {XS}px; min-height: {XL}px; }}
QScrollBar:horizontal {{ background: transparent; height: {S}px; }}
QScrollBar::handle:horizontal {{ background: {LINE}; border-radius: {XS}px; min-width: {XL}px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QTableView {{ background: transparent; border: 0; gridline-color: {LINE}; outline: 0; }}
QTableView[rows="true"] {{ border: 1px solid transparent; }}
QTableView[rows="true"]:focus {{ border: 1px solid {ACCENT}; }}
QTableView[rows="true"]::item {{ padding: 0 {S}px; }}
QTableView[rows="true"]::item:selected {{ background: {HOVER}; color: {TEXT}; }}
QLabel[pressing="true"] {{
  background: {RAISED}; border: 2px solid {ACCENT}; border-radius: {RADIUS_PX}px; padding: {S}px;
}}
QCheckBox {{ spacing: {S}px; min-height: {CONTROL_PX}px; }}
QCheckBox::indicator {{
  width: {L}px; height: {L}px; border: 1px solid {DISABLED}; border-radius: {XS}px; background: {RAISED};
}}
QCheckBox::indicator:checked {{ background: {ACCENT}; border-color: {ACCENT}; }}
QCheckBox::indicator:focus {{ border: 2px solid {TEXT}; }}
QHeaderView::section {{
  background: transparent; color: {SECONDARY}; border: 0; border-bottom: 1px solid {LINE};
  padding: {XS}px {S}px;
}}
"""
