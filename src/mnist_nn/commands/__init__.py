"""What the commands of the command line do: training.py trains and evaluates, pictures.py predicts and scores."""
