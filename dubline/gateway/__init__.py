"""The gateway: people and programs reach sessions through it. It starts runs by their deployment's name.

app.py       puts it together        routes/      REST, one file a noun       rpc/      gRPC over the same service
service.py   what can be done        reading.py   what was published          hub.py    followers of progress
access.py    who is asking           errors.py    what went wrong             runs.py   the only one with Prefect
"""
