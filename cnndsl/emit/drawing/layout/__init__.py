"""From the model of a drawing to the display list: where everything is drawn."""
