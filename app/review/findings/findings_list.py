"""The findings as a list beside the picture: a row a track, with a picture of it where it is largest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.review.findings.rows import SAID, SIGNS, facts
from app.widgets import theme, words
from engine.review.acts import Anchor, Verdict
from engine.review.rows import Row, row_at

ROW_PX = 56
PICTURE_PX = (84, 48)
SIGN_PX = 24
_Index = QModelIndex | QPersistentModelIndex
Picture = Callable[[int], QImage | None]  # of a rank, None while it is not there


class FindingsList(QListView):
    """`jumped`: a person clicked on a finding. Keys are the window's, but for up and down."""

    jumped = Signal(object)  # Row

    def __init__(self, picture: Picture, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.origin_s = 0.0  # media time of the recording's first frame
        self._rows = _Rows(self)
        self.setModel(self._rows)
        self.setItemDelegate(_Drawn(picture, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setAccessibleName("Findings")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    @property
    def rows(self) -> tuple[Row, ...]:
        return self._rows.rows

    def show_rows(self, rows: Sequence[Row]) -> None:
        """What was chosen stays chosen where it still is."""
        before = self.chosen
        at = self.verticalScrollBar().value()
        self._rows.replace(tuple(rows))
        self.choose(None if before is None else before.anchor, scroll=False)
        self.verticalScrollBar().setValue(at)

    @property
    def chosen(self) -> Row | None:
        """The finding that is chosen."""
        index = self.currentIndex()
        return self._rows.rows[index.row()] if index.isValid() else None

    def choose(self, anchor: Anchor | None, *, scroll: bool = True) -> None:
        """Mark its row; nothing is jumped to."""
        at = None if anchor is None else row_at(anchor, self._rows.rows)
        if at is None:
            self.setCurrentIndex(QModelIndex())
            return
        index = self._rows.index(at)
        self.setCurrentIndex(index)
        if scroll:
            self.scrollTo(index)

    def repaint_pictures(self) -> None:
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and index.isValid():
            self.jumped.emit(self._rows.rows[index.row()])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self.chosen is not None:
            self.jumped.emit(self.chosen)


class _Rows(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()

    def replace(self, rows: tuple[Row, ...]) -> None:
        if rows == self.rows:
            return
        if len(rows) == len(self.rows):  # states change more often than rows come and go
            self.rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{words.short_clock(row.start_s)} {SAID[row.verdict]} {facts(row)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join(
                part for part in (f"{facts(row)} of the picture", f"Found by: {row.who}", row.note) if part
            )
        return None


class _Drawn(QStyledItemDelegate):
    """Kept ones are bright, rejected ones struck out and faint: told by sign and strength."""

    def __init__(self, picture: Picture, parent: FindingsList) -> None:
        super().__init__(parent)
        self._picture = picture
        self._view = parent

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(0, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        row, area = self._view.rows[index.row()], QRect(option.rect)
        painter.save()
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, theme.colour(theme.HOVER if chosen else theme.RAISED))
        if chosen:
            painter.fillRect(QRect(area.x(), area.y(), 3, area.height()), theme.colour(theme.ACCENT))
        faint = row.verdict is Verdict.REJECT
        painter.setOpacity(0.5 if faint else 1.0)
        inner = area.adjusted(theme.S, theme.XS, -theme.S, -theme.XS)
        at = QRect(inner.x(), inner.y(), *PICTURE_PX)
        painter.fillRect(at, theme.colour(theme.BLACK))
        image = self._picture(row.best_rank)
        if image is not None:
            fitted = image.size().scaled(at.size(), Qt.AspectRatioMode.KeepAspectRatio)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            place = QRect(
                at.center().x() - fitted.width() // 2,
                at.y() + (at.height() - fitted.height()) // 2,
                fitted.width(),
                fitted.height(),
            )
            painter.drawImage(place, image)
        text = inner.adjusted(PICTURE_PX[0] + theme.S, 0, 0, 0)
        upper = QRect(text.x(), text.y(), text.width() - SIGN_PX, text.height() // 2)
        lower = QRect(text.x(), upper.bottom(), text.width(), text.height() // 2)
        title = theme.font(bold=True)
        title.setStrikeOut(faint)
        painter.setFont(title)
        painter.setPen(theme.colour(theme.TEXT))
        painter.drawText(
            upper,
            Qt.AlignmentFlag.AlignVCenter,
            words.short_clock(row.start_s - self._view.origin_s) + (f"  {row.note}" if row.note else ""),
        )
        painter.setFont(theme.font(theme.CAPTION_PX))
        painter.setPen(theme.colour(theme.SECONDARY))
        metrics = painter.fontMetrics()
        painter.drawText(
            lower,
            Qt.AlignmentFlag.AlignVCenter,
            metrics.elidedText(facts(row), Qt.TextElideMode.ElideRight, lower.width()),
        )
        painter.setOpacity(1.0)
        painter.setFont(theme.font(theme.LEAD_PX, bold=True))
        painter.setPen(theme.colour(theme.TEXT))
        sign = QRect(upper.right(), upper.y(), SIGN_PX, upper.height())
        painter.drawText(sign, Qt.AlignmentFlag.AlignCenter, SIGNS[row.verdict])
        painter.restore()
