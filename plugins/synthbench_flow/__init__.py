"""Generators by flow matching: `pca-flow` on principal components, `latent-flow` on an autoencoder's latents."""
