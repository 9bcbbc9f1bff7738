"""Made of dubline.proto by grpcio-tools; never edited."""
