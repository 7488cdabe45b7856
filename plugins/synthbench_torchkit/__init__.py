"""The torch that plugins share: device, tensors, training state, the image classifier. No hooks, no plugin."""
