// Package activeclock measures time for timeouts. If the whole machine is stopped for some time, the clock advances
// by MaxCounted at most.
package activeclock

import "time"

// MaxCounted is the longest time that one call of Tick counts. If more time has passed since the last call, the whole
// machine may have been stopped, so the goroutine for which the caller waits may not have run either.
const MaxCounted = 10 * time.Millisecond

// An activeClock measures the time in which this process could run.
type activeClock struct{ last time.Time }

// New returns a clock that starts now.
func New() *activeClock { return &activeClock{time.Now()} }

// Tick sleeps for pause and returns the time since the last call, MaxCounted at most.
func (p *activeClock) Tick(pause time.Duration) time.Duration {
	time.Sleep(pause)
	now := time.Now()
	d := min(now.Sub(p.last), MaxCounted)
	p.last = now
	return d
}
