"""Configuration tables: stages are rows, networks columns, as in the papers on VGG and ResNet."""
