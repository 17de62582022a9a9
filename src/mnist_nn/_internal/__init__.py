"""Technical parts that users never import: quiet TensorFlow, safe files, resuming a training."""
