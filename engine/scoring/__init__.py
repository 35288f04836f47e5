"""The method: inputs, pools, shock, responses, waterfall."""
