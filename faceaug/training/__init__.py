"""What every training run shares: device and precision, checkpoints, EMA, logs, run folders."""
