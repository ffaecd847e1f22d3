"""One student of several teachers for several tasks (arXiv 2504.02351).

First its maps learn from all teachers, on labelled and unlabelled images; then it learns the masks of every
task at once: encoder and decoder are shared, each task has one row of the last 1x1 convolution.
"""
