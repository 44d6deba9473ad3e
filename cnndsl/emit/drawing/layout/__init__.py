"""Convert the model of a drawing to the display list: compute the positions of all elements."""
