"""gRPC over the same service as REST.

dubline.proto   the interface        generated/    made of it; CONTRIBUTING.md has the command
servicer.py     the methods          calls.py      what each call begins and ends with       server.py    listens
"""
