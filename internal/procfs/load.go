package procfs

import (
	"io/fs"
	"math"
	"os"
	"time"
)

// A Load is the processor time that the machine and this program have used until
// a moment.
type Load struct {
	at        time.Time
	busy, own int64
}

// ReadLoad returns the load now. The program is this process and its
// descendants, also those that have ended and been waited for. Where the load
// cannot be read, it is the zero Load.
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

// ForeignCores returns how many cores other programs kept busy between start and
// end, on average; NaN if one of the loads is the zero Load.
func ForeignCores(start, end Load) float64 {
	seconds := end.at.Sub(start.at).Seconds()
	if start.at.IsZero() || end.at.IsZero() || seconds <= 0 {
		return math.NaN()
	}
	foreign := (end.busy - start.busy) - (end.own - start.own)
	return float64(max(0, foreign)) / TicksPerSecond / seconds
}
