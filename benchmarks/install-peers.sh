#!/bin/sh
# Installs what the benchmarks compare with, from Debian or Ubuntu packages: pandas for /usr/bin/python3. Needs root.
set -eu
apt-get update
apt-get install -y python3-pandas
/usr/bin/python3 -c 'import pandas; print("pandas", pandas.__version__)'
