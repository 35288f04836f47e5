"""What every floor shares: words that engine, warehouse and jobs say alike. It imports nothing of the house."""
