package goruntime

// Byte offsets into runtime.g, runtime.p, runtime.timer, runtime.hchan and maps in Go 1.26 and 1.27.
const (
	GStackLo      = 0
	GStackHi      = 8
	gPanic        = 32
	GSchedSP      = 56
	GSchedPC      = 56 + 8
	gSchedBP      = 56 + 40
	gSyscallPC    = 112
	gSyscallBP    = 120
	gStatus       = 144
	gID           = 152
	gWaitSince    = 168
	gWaitReason   = 176
	gGoPC         = 288
	gStartPC      = 304
	gLabels       = 352
	pTimersHeap   = 13672 + 8
	timerWhenSize = 16
	timerState    = 9
	timerFunc     = 40
	chanReceivers = 64
	mapWriting    = 34 // internal/runtime/maps.Map
)

// Values of runtime.g.atomicstatus.
const (
	statusIdle      = 0
	statusRunning   = 2
	statusSyscall   = 3
	statusWaiting   = 4
	statusDead      = 6
	statusDeadExtra = 11
	statusScan      = 0x1000
)

const timerZombie = 4 // bit of runtime.timer.state: stopped, but not yet removed

// waitReasons maps values of runtime.waitReason to states: Blocked if only
// another goroutine can end the wait, Waiting if the system ends it.
var waitReasons = map[uint8]State{
	2:  Waiting, // IO wait
	13: Blocked, // semacquire
	14: Waiting, // sleep
	15: Blocked, // chan receive (nil chan)
	16: Blocked, // chan send (nil chan)
	17: Blocked, // select (no cases)
	18: Blocked, // select
	19: Blocked, // chan receive
	20: Blocked, // chan send
	21: Blocked, // sync.Cond.Wait
	22: Blocked, // sync.Mutex.Lock
	23: Blocked, // sync.RWMutex.RLock
	24: Blocked, // sync.RWMutex.Lock
	25: Blocked, // sync.WaitGroup.Wait
	38: Blocked, // coroutine
}

// reasonNames are the names of the keys of waitReasons.
var reasonNames = map[uint8]string{
	2: "file or connection", 13: "semaphore", 14: "sleep", 15: "chan receive (nil chan)", 16: "chan send (nil chan)",
	17: "select (no cases)", 18: "select", 19: "chan receive", 20: "chan send", 21: "sync.Cond.Wait", 22: "sync.Mutex.Lock",
	23: "sync.RWMutex.RLock", 24: "sync.RWMutex.Lock", 25: "sync.WaitGroup.Wait", 38: "coroutine",
}

// idleReasons are the values of runtime.waitReason with which goroutines of the runtime wait for
// work.
var idleReasons = map[uint8]bool{
	8:  true, // GC sweep wait
	9:  true, // GC scavenge wait
	10: true, // finalizer wait
	11: true, // force gc (idle)
	12: true, // GOMAXPROCS updater (idle)
	28: true, // GC worker (idle)
	46: true, // cleanup wait
}
