package mp

import "runtime"

func Cores() int { return runtime.GOMAXPROCS(0) }
