"""The machines that Dubline runs on: the image, its composition, and the same stack as plain processes on loopback."""
