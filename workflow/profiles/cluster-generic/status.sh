#!/bin/sh
# How a job is: what it has left says how it ended; without that, it runs if the scheduler has it.
ended=.snakemake/cluster/${1%%.*}.exit

answer() {
    if [ -s "$ended" ]; then
        if [ "$(cat "$ended")" = 0 ]; then echo success; else echo failed; fi
        exit
    fi
}

# The state is the last column but one; C and F are those of a job that is over.
in_queue() {
    state=$(qstat "$1" 2> /dev/null | awk 'END { print $(NF - 1) }')
    [ -n "$state" ] && [ "$state" != C ] && [ "$state" != F ]
}

answer
if in_queue "$1"; then
    echo running
else
    sleep 5 # the file may take a moment to be seen on this machine
    answer
    echo failed
fi
