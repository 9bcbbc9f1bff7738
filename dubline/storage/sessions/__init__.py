"""Sessions: what a person asked for, how far it is, what came of it. The gateway and the runs read and write them."""
