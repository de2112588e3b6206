#!/bin/sh
# How a job is: what it has left says how it ended; without that, it runs if the scheduler has it.
ended=.snakemake/cluster/${1%%.*}.exit

answer() {
    if [ -s "$ended" ]; then
        if [ "$(cat "$ended")" = 0 ]; then echo success; else echo failed; fi
        exit
    fi
}

# True unless the scheduler says that it does not have the job, or that the job is over. A scheduler
# that does not answer, because it restarts or has too much to do, has not lost its jobs.
# The state is the last column but one; C and F are those of a job that is over.
in_queue() {
    if listed=$(qstat "$1" 2>&1); then
        state=$(echo "$listed" | awk 'NF > 1 { state = $(NF - 1) } END { print state }')
        [ -n "$state" ] && [ "$state" != C ] && [ "$state" != F ]
    else
        ! echo "$listed" | grep -qi "unknown job\|unknown jobid\|finished\|not found\|invalid job"
    fi
}

if in_queue "$1"; then
    answer
    echo running
    exit
fi
# On a network's file system the file may be seen late; listing its folder asks the server again.
for _ in 1 2 3; do
    ls .snakemake/cluster > /dev/null 2>&1
    answer
    sleep 5
done
echo failed
