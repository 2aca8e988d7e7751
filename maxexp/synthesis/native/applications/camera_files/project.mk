# Settings of the maker's SDK for this application.
CAMERA := OV7692
export CAMERA
