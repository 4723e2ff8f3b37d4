package queue

import "github.com/perijove/perijove/lib/mp/internal/shm"

// advance moves an end of the ring and counts the value. A process may be killed in
// between. Then the next process that has the lock corrects the count from the intent,
// which has the low halves of the old count and of the new position. Values that all
// have one size are not counted.
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

// mend corrects the count of puts or takes if a process died with the lock since the
// last call, and reports whether one did. The caller has the lock.
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
