"""Works out each day's profit from three topics, and tells the shop."""
