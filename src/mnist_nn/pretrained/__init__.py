"""The pretrained weights, their model card (README.md), and the script that trains them (`__main__.py`)."""
