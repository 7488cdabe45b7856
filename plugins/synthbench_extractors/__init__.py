"""Feature extractors: Inception, EfficientNet-Lite, timm, TorchXRayVision, RAD-DINO, a trained classifier."""
