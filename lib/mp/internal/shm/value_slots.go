package shm

import "unsafe"

// The object of a Value holds a lock, the number of the current slot, and two slots. A
// value of 4 or 8 bytes is always in slot 0 and needs no lock.
const (
	valueCurrent = LockEnd
	ValueSlots   = 64 // offset of slot 0
)

// ValueSize returns the size of the object of a Value of size bytes.
func ValueSize(size uintptr) int { return ValueSlots + 2*valueSlotSize(size) }

func valueSlotSize(size uintptr) int { return max(16, (int(size)+15)&^15) }

func valueSlot(o *Object, i uint32, size uintptr) unsafe.Pointer {
	return o.At(ValueSlots + int(i)*valueSlotSize(size))
}

// LoadValue copies the value in the current slot of o to the memory at to. The caller must
// hold the lock.
func LoadValue(to unsafe.Pointer, o *Object, size uintptr) {
	copyBytes(to, valueSlot(o, o.U32(valueCurrent).Load(), size), size)
}

// StoreValue writes the slot of o that is not current and makes it current. The caller must
// hold the lock, unless nothing else uses o.
func StoreValue(o *Object, from unsafe.Pointer, size uintptr) {
	current := o.U32(valueCurrent).Load()
	copyBytes(valueSlot(o, 1-current, size), from, size)
	o.U32(valueCurrent).Store(1 - current)
}

// InitValue writes slot 0 of a new object.
func InitValue(o *Object, from unsafe.Pointer, size uintptr) {
	copyBytes(valueSlot(o, 0, size), from, size)
}

func copyBytes(to, from unsafe.Pointer, n uintptr) {
	copy(unsafe.Slice((*byte)(to), n), unsafe.Slice((*byte)(from), n))
}
