#!/bin/sh
# Does memory stay flat as the file grows? Generates two CSV files of one schema, the second four times the first (default 1,000 and 4,000 MB), trains on each
# with the published command (default settings, then one epoch of the net), and prints peak memory and time. Ends with 1 when a peak is over 1.2 GB or the
# two are more than 10 % apart. Options of `train` may follow the size: `--max-steps 3000` shortens the nets, which is where the time goes, and leaves out no stage. Needs a C compiler, GNU time and about six times the larger file's size in the temporary folder.
#   benchmarks/large-file.sh [MEGABYTES-OF-THE-SMALLER [TRAIN-OPTION...]]
set -eu
small=${1:-1000}
[ $# -eq 0 ] || shift
large=$((small * 4))
limit=1200000 # KB
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

cat > "$work/generate.c" <<'C'
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252ull;

static double uniform(void)
{
    state ^= state << 13; state ^= state >> 7; state ^= state << 17; /* xorshift64 (Marsaglia 2003) */
    return (double)(state >> 11) / 9007199254740992.0;
}

/* 12 numbers, 2 categories and a label that depends on some of them. */
int main(int count, char **arguments)
{
    static const char *regions[] = {"north", "south", "east", "west", "centre"}, *plans[] = {"basic", "plus", "premium"};
    double bytes = count > 1 ? atof(arguments[1]) * 1e6 : 1e6, written = 0, x[12];
    written += printf("x1,x2,x3,x4,x5,x6,x7,x8,x9,x10,x11,x12,region,plan,label\n");
    while (written < bytes) {
        for (int i = 0; i < 12; i++)
            x[i] = (uniform() + uniform() + uniform() - 1.5) * 2 * (1 + i % 4);
        int region = (int)(uniform() * 5), plan = (int)(uniform() * 3);
        double logit = x[0] + 0.5 * x[1] + 0.2 * x[2] * x[4] + 1.2 * (region == 2) - 0.8 * (plan == 0) + sin(x[3]);
        for (int i = 0; i < 12; i++)
            written += printf("%.6g,", x[i]);
        written += printf("%s,%s,%s\n", regions[region], plans[plan], uniform() < 1 / (1 + exp(-logit)) ? "yes" : "no");
    }
    return 0;
}
C
cc -O2 -o "$work/generate" "$work/generate.c" -lm
dotnet publish "$root/src/Candela.Cli" -c Release -o "$work/candela" > "$work/publish.txt" || { cat "$work/publish.txt"; exit 1; }
"$work/generate" "$small" > "$work/small.csv"
"$work/generate" "$large" > "$work/large.csv"

# One run; its peak in KB is left in $peak.
train()
{
    name=$1 file=$2
    shift 2
    /usr/bin/time -f '%M %U %S %e' -o "$work/time" "$work/candela/candela" train "$work/$file.csv" --target label --out "$work/run" --overwrite --quiet "$@" > "$work/out.txt" 2> "$work/err.txt" \
        || { cat "$work/err.txt"; exit 1; }
    read -r peak user system wall < "$work/time"
    echo "| $name | $file.csv ($(wc -l < "$work/$file.csv") lines) | $((peak / 1000)) | $user + $system | $wall |"
}

failed=0
compare()
{
    [ "$1" -le $limit ] && [ "$2" -le $limit ] || { echo "a peak is over $((limit / 1000)) MB" >&2; failed=1; }
    [ $(($2 * 10)) -le $(($1 * 11)) ] && [ $(($1 * 10)) -le $(($2 * 11)) ] || { echo "the peaks are more than 10 % apart" >&2; failed=1; }
}

echo "| settings | file | peak, MB | CPU seconds, user + system | seconds |"
echo "| --- | --- | --- | --- | --- |"
train "default${*:+ $*}" small "$@"
first=$peak
train "default${*:+ $*}" large "$@"
compare "$first" "$peak"
train "mlp, one epoch${*:+ $*}" small --model mlp --epochs 1 "$@"
first=$peak
train "mlp, one epoch${*:+ $*}" large --model mlp --epochs 1 "$@"
compare "$first" "$peak"
exit $failed
