"""How a row of the library is drawn: a picture with two lines, figures, how far it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.library.listing import COLUMNS, NUMBERS, Column, Row, Shown
from app.library.said import said, second_line
from app.widgets import theme
from app.widgets.icons import pixmap

ROW_PX = 60
PICTURE_PX = (92, 52)
BAR_PX = 3
_Index = QModelIndex | QPersistentModelIndex
Thumbnail = Callable[[Path | None], QImage | None]  # of a side-car, None while it is not there
TONES = {Shown.FAILED: theme.FAULT, Shown.MISSING: theme.ATTENTION, Shown.WORKING: theme.ACCENT}


class Drawn(QStyledItemDelegate):
    """`names` False: neither titles nor pictures, where others look on."""

    def __init__(self, thumbnail: Thumbnail, row_at: Callable[[_Index], Row], parent: QWidget) -> None:
        super().__init__(parent)
        self.names = True
        self._thumbnail = thumbnail
        self._row_at = row_at

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(0, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row, column, area = self._row_at(index), COLUMNS[index.column()], QRect(option.rect)
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, theme.colour(theme.HOVER if chosen else theme.RAISED))
        if column is Column.TITLE:
            if chosen:
                painter.fillRect(QRect(area.x(), area.y(), 3, area.height()), theme.colour(theme.ACCENT))
            self._recording(painter, row, area.adjusted(theme.S, theme.XS, -theme.S, -theme.XS))
        else:
            _figure(painter, row, column, area.adjusted(theme.S, 0, -theme.S, 0))
        painter.restore()

    def _recording(self, painter: QPainter, row: Row, area: QRect) -> None:
        at = QRect(area.x(), area.y(), *PICTURE_PX)
        painter.fillRect(at, theme.colour(theme.BLACK))
        image = self._thumbnail(row.folder) if self.names else None
        if image is None:
            mark = pixmap("film", theme.LINE, theme.XL, painter.device().devicePixelRatioF())
            painter.drawPixmap(at.center().x() - theme.M, at.center().y() - theme.M, mark)
        else:
            fitted = image.size().scaled(at.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(at.topLeft(), fitted)
            place.moveCenter(at.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, image)
        text = area.adjusted(PICTURE_PX[0] + theme.M, theme.XS, 0, -theme.XS)
        upper = QRect(text.x(), text.y(), text.width(), text.height() // 2)
        lower = QRect(text.x(), upper.bottom() + 1, text.width(), text.height() // 2)
        gone = row.state is Shown.MISSING
        _line(painter, upper, self._title(row), theme.SECONDARY if gone else theme.TEXT, bold=True)
        tone = theme.FAULT if row.why else theme.SECONDARY
        under = second_line(row) if self.names else ""
        end = Qt.TextElideMode.ElideRight if row.why else Qt.TextElideMode.ElideMiddle
        _line(painter, lower, under, tone, size_px=theme.CAPTION_PX, elide=end)

    def _title(self, row: Row) -> str:
        return row.title if self.names else "Recording"


def _figure(painter: QPainter, row: Row, column: Column, area: QRect) -> None:
    token = theme.SECONDARY if column in (Column.MODEL, Column.OPENED) else theme.TEXT
    if column is Column.STATE:
        token = TONES.get(row.state, theme.SECONDARY)
    side = Qt.AlignmentFlag.AlignRight if column in NUMBERS else Qt.AlignmentFlag.AlignLeft
    _line(painter, area, said(row, column), token, side=side)
    if column is Column.STATE and row.state is Shown.WORKING:
        groove = QRect(area.x(), area.center().y() + theme.M, area.width(), BAR_PX)
        painter.fillRect(groove, theme.colour(theme.LINE))
        groove.setWidth(round(area.width() * (row.share or 0.0)))
        painter.fillRect(groove, theme.colour(theme.ACCENT))


def _line(
    painter: QPainter,
    area: QRect,
    text: str,
    token: str,
    *,
    bold: bool = False,
    size_px: int = theme.BASE_PX,
    side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    elide: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
) -> None:
    painter.setFont(theme.font(size_px, bold=bold))
    painter.setPen(theme.colour(token))
    fitted = painter.fontMetrics().elidedText(text, elide, area.width())
    painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, fitted)
