package procfs

import (
	"io/fs"
	"math"
	"os"
	"time"
)

// A Load is the processor time that the machine and this program have used up to a
// point in time.
type Load struct {
	at        time.Time
	busy, own int64 // in ticks
}

// ReadLoad returns the current load. The program is this process and its descendants,
// including those that have ended and been waited for. ReadLoad returns the zero Load
// if it cannot read the load.
func ReadLoad(root fs.FS) Load { return readLoad(root, os.Getpid(), time.Now()) }

func readLoad(root fs.FS, pid int, at time.Time) Load {
	machine, ok := Machine(root)
	if !ok {
		return Load{}
	}
	l := Load{at: at, busy: machine.Busy}
	for _, p := range Tree(Processes(root), pid) {
		l.own += p.Ticks + p.ChildTicks
	}
	return l
}

// ForeignCores returns the mean number of cores that other programs used between start
// and end. It returns NaN if start or end is the zero Load, or if no time has passed.
func ForeignCores(start, end Load) float64 {
	seconds := end.at.Sub(start.at).Seconds()
	if start.at.IsZero() || end.at.IsZero() || seconds <= 0 {
		return math.NaN()
	}
	foreign := (end.busy - start.busy) - (end.own - start.own)
	return float64(max(0, foreign)) / TicksPerSecond / seconds
}
