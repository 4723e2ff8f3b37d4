//go:build !linux

package mp

import "math"

func cgroupCores() int { return math.MaxInt }
