package shm

import (
	"sync"
	"sync/atomic"
	"time"
)

// A user is this process's place in the list of processes that have an object.
type user struct {
	seg   *Segment // keeps the memory mapped
	head  []byte
	off   int
	slot  int
	index int
}

func userWord(head []byte, i int) *atomic.Uint64 { return at64(head, headUsers+8*i) }

func users(head []byte) int { return max(0, len(head)-headUsers) / 8 }

// leave frees the place, after this process has dropped the object.
func (u *user) leave() {
	name := placeName{u.seg.name(), u.off, at32(u.head, headGeneration).Load()}
	objects.mu.Lock()
	if objects.m[name].Value() == nil {
		delete(objects.m, name)
	}
	objects.mu.Unlock()
	if u.index >= 0 {
		userWord(u.head, u.index).CompareAndSwap(Self().Word(), 0)
	}
	if u.slot > 0 {
		dropped(u.seg, u.off, u.slot)
	}
}

// join adds this process to the users of the object, and returns its index, or -1 if no
// place is free.
func (o *Object) join() int {
	for range 2 {
		for i := range users(o.head) {
			if userWord(o.head, i).CompareAndSwap(0, o.me.Word()) {
				return i
			}
		}
		if o.size > 0 { // in a large object, other data belongs to a place
			o.RemoveDead()
		}
	}
	at32(o.head, headUntracked).Store(1)
	return -1
}

// HasDead reports whether a process that has the object was killed or crashed.
func (o *Object) HasDead() bool {
	for i := range users(o.head) {
		if w := userWord(o.head, i).Load(); w != 0 && !OwnerOf(w).AliveSince(firstLook) {
			return true
		}
	}
	return false
}

// RemoveDead frees the places of dead processes in the object's list of users.
func (o *Object) RemoveDead() {
	for i := range users(o.head) {
		w := userWord(o.head, i)
		if was := w.Load(); was != 0 && !OwnerOf(was).Alive() {
			w.CompareAndSwap(was, 0)
		}
	}
}

// LeaveAll removes this process from the users of all objects, because this process ends
// normally: its end is not reported as a death. Other processes may reuse the slots of
// objects that it still uses.
func LeaveAll() {
	objects.mu.Lock()
	defer objects.mu.Unlock()
	for _, p := range objects.m {
		if o := p.Value(); o != nil && o.index >= 0 {
			userWord(o.head, o.index).CompareAndSwap(o.me.Word(), 0)
		}
	}
}

// Index returns the place of this process in the object's list of users, or -1 if this process
// has no place there.
func (o *Object) Index() int { return o.index }

// Users returns the number of places in the object's list of users.
func (o *Object) Users() int { return users(o.head) }

// User returns the process that has place i; ok is false if the place is free.
func (o *Object) User(i int) (_ Owner, ok bool) {
	w := userWord(o.head, i).Load()
	return OwnerOf(w), w != 0
}

// Remove frees place i if the process dead has that place, and reports whether it did.
func (o *Object) Remove(i int, dead Owner) bool {
	return userWord(o.head, i).CompareAndSwap(dead.Word(), 0)
}

// IsTracked reports whether each process that has the object has a place in the object's list
// of users.
func (o *Object) IsTracked() bool { return at32(o.head, headUntracked).Load() == 0 }

// peers records what this process has found out about the other users of an object.
type peers struct {
	mu     sync.Mutex
	remove func(i int, dead Owner) bool // see OnDeath
	losses atomic.Uint32                // how often the last other user was found dead
	alone  atomic.Int64                 // time of the last loss, in nanoseconds; 0 if other users are alive
	sent   atomic.Bool                  // the object was sent after that
}

// OnDeath sets a function that is called instead of Remove when a user is found dead. It must
// do the work of Remove and return the same result.
func (o *Object) OnDeath(remove func(i int, dead Owner) bool) {
	o.peers.mu.Lock()
	defer o.peers.mu.Unlock()
	o.peers.remove = remove
}

// Losses returns how often all other users of the object were found dead. A wait
// that began before such a loss fails with ErrPeerDied.
func (o *Object) Losses() uint32 { return o.peers.losses.Load() }

// checkPeers checks which users are alive. If all others are dead it removes them, and
// counts one loss. If one other is alive it does nothing.
func (o *Object) checkPeers(seen time.Duration) {
	if o.head == nil || !o.IsTracked() || !o.peers.mu.TryLock() {
		return
	}
	defer o.peers.mu.Unlock()
	var dead []int
	for i := range users(o.head) {
		switch w := userWord(o.head, i).Load(); {
		case w == 0 || OwnerOf(w) == o.me:
		case OwnerOf(w).AliveSince(seen):
			o.peers.alone.Store(0)
			return
		default:
			dead = append(dead, i)
		}
	}
	lost := false
	for _, i := range dead {
		w := userWord(o.head, i)
		if was := w.Load(); o.peers.remove != nil {
			lost = o.peers.remove(i, OwnerOf(was)) || lost
		} else {
			lost = w.CompareAndSwap(was, 0) || lost
		}
	}
	if lost {
		o.peers.sent.Store(false)
		o.peers.alone.Store(time.Now().UnixNano())
		o.peers.losses.Add(1)
	}
}

// AloneFor returns how long ago the last other user was found dead. alone is false if
// other processes have the object, or if this process has sent the object since then.
func (o *Object) AloneFor() (d time.Duration, alone bool) {
	at := o.peers.alone.Load()
	if at == 0 || o.peers.sent.Load() {
		return 0, false
	}
	return time.Since(time.Unix(0, at)), true
}
