"""Protocols: how maps and masks become numbers. Figures of two protocols are never mixed."""
