"""The auxiliary-classifier GAN of the paper: networks, training, sampling, plugin."""
