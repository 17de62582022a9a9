"""Tests with damaged files, killed trainings and distributed training; the scripts are run on demand."""
