package queue

import "github.com/perijove/perijove/lib/mp/internal/shm"

// advance moves an end of the ring and counts the value. A process may be
// killed in between: the intent, the low halves of the count before and of the
// place after, lets the next one that has the lock find out. Values that all have one
// size are not counted.
func (q *sharedQueue) advance(intent, end, count int, to uint64) {
	if o := q.o; !q.codec.Fixed {
		n := o.U64(count)
		o.U64(intent).Store(n.Load()<<32 | uint64(uint32(to)))
		n.Add(1)
	}
	q.o.U64(end).Store(to)
}

func mendPut(o *shm.Object) bool {
	return mend(o, queuePutLock, queuePutMended, queuePutIntent, queueTail, queuePut)
}

func mendGet(o *shm.Object) bool {
	return mend(o, queueGetLock, queueGetMended, queueGetIntent, queueHead, queueTaken)
}

// mend corrects the count if the lock, which the caller has, was taken from a
// process that died with it, and reports whether it was.
func mend(o *shm.Object, lock, mended, intent, end, count int) bool {
	deaths := shm.Mutex{O: o, At: lock}.Recovered()
	if o.U32(mended).Load() == deaths {
		return false
	}
	n, i := o.U64(count), o.U64(intent).Load()
	want := uint32(i >> 32)
	if uint32(o.U64(end).Load()) == uint32(i) {
		want++
	}
	if i != 0 {
		n.Add(uint64(int64(int32(want - uint32(n.Load())))))
	}
	o.U32(mended).Store(deaths)
	return true
}
