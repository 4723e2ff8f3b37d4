//go:build unix

package main

import "syscall"

// usedProcessor returns how many seconds of processor time this process and its ended
// children have used.
func usedProcessor() (seconds float64, err error) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			return 0, err
		}
		seconds += float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	return seconds, nil
}
