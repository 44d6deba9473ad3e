"""Layer types for cnndsl that its language leaves out: LSTM, NONLOCAL, and SNCONV, which is CONV with spectral norm."""
