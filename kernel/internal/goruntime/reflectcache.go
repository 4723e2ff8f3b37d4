package goruntime

import (
	"maps"
	"reflect"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/platform"
)

// A ReflectCaches gives access to the caches of package reflect. They hold the types that reflect has made on the
// heap. A loaded object may also have a descriptor of such a type. That descriptor is called the copy of the type.
type ReflectCaches struct {
	host      *Runtime
	caches    []*sync.Map
	funcs     *lookupCache
	structs   *lookupCache
	identical func(t, v unsafe.Pointer, tags bool) bool

	copies map[uintptr]uintptr // addresses of copies, by the address of the type
	kept   typeMap             // the map that the module's typemap points to
}

// A lookupCache mirrors reflect.funcLookupCache and reflect.structLookupCache: lists of
// types, by a hash of their parts.
type lookupCache struct {
	sync.Mutex
	m sync.Map
}

// NewReflectCaches finds the caches of package reflect. It returns an error if the image lacks a symbol that it
// needs.
func NewReflectCaches(h *Runtime) (*ReflectCaches, error) {
	r := &ReflectCaches{host: h, copies: map[uintptr]uintptr{}}
	var err error
	cache := func(name string) *sync.Map {
		m, e := Var[sync.Map](h, name)
		if e != nil && err == nil {
			err = e
		}
		return m
	}
	lookup := func(name string) *lookupCache {
		c, e := Var[lookupCache](h, name)
		if e != nil && err == nil {
			err = e
		}
		return c
	}
	r.caches = []*sync.Map{cache("reflect.lookupCache"), cache("reflect.ptrMap")}
	r.funcs, r.structs = lookup("reflect.funcLookupCache"), lookup("reflect.structLookupCache")
	if err != nil {
		return nil, err
	}
	r.caches = append(r.caches, &r.funcs.m, &r.structs.m)
	r.identical, err = Func[func(t, v unsafe.Pointer, tags bool) bool](h, "reflect.haveIdenticalUnderlyingType")
	return r, err
}

// TypesByString returns the types that reflect has made on the heap, by their strings.
func (r *ReflectCaches) TypesByString() map[string][]unsafe.Pointer {
	types := map[string][]unsafe.Pointer{}
	for _, c := range r.caches {
		c.Range(func(_, v any) bool {
			eachType(reflect.ValueOf(v), func(p unsafe.Pointer) {
				if uintptr(p) >= heapBase {
					s := TypeAt(p).String()
					types[s] = append(types[s], p)
				}
			})
			return true
		})
	}
	return types
}

// eachType calls f with the types in a cache entry: a pointer to a type,
// or a list of pointers or of reflect.Type.
func eachType(v reflect.Value, f func(unsafe.Pointer)) {
	switch v.Kind() {
	case reflect.Slice:
		for i := range v.Len() {
			eachType(v.Index(i), f)
		}
	case reflect.Interface:
		eachType(v.Elem(), f)
	case reflect.Pointer:
		f(v.UnsafePointer())
	}
}

// Find returns the type in list that the descriptor at addr describes, or nil. It ignores a type that has fewer
// methods than the descriptor: if reflect makes a pointer type, it does not give the type the promoted methods that
// compiled code calls.
func (r *ReflectCaches) Find(list []unsafe.Pointer, addr uintptr) unsafe.Pointer {
	for _, p := range list {
		if r.identical(p, platform.Pointer(addr), true) && MethodCount(uintptr(p)) == MethodCount(addr) {
			return p
		}
	}
	return nil
}

// Bind enters types on the heap into the typemap of md. From then on an offset that refers to a copy means the type
// on the heap. made maps the address of each copy to the type. Bind gives the types the hash of the copy, which
// compiled type switches expect.
func (r *ReflectCaches) Bind(md *ModuleData, made map[uintptr]unsafe.Pointer) {
	hashes := map[uintptr]uint32{}
	typemap := maps.Clone(r.kept)
	if typemap == nil {
		typemap = typeMap{}
	}
	for addr, typ := range made {
		typemap.set(md, addr, typ)
		r.copies[uintptr(typ)] = addr
		hashes[uintptr(typ)] = TypeHash(addr)
	}
	r.kept = typemap // the runtime reads the map without a lock: replace it, never change it
	atomic.StoreUintptr(&md.typemap, uintptr(*(*unsafe.Pointer)(unsafe.Pointer(&typemap))))
	hashOf := func(t reflect.Type) uint32 {
		if h, ok := hashes[descriptorOf(t)]; ok {
			return h
		}
		return TypeHash(descriptorOf(t))
	}
	// The caches are changed before the types: code that sees the new hash of a type must find the types that are made
	// of it.
	r.funcs.rehash(func(t reflect.Type) uint32 { return funcHash(t, hashOf) })
	r.structs.rehash(func(t reflect.Type) uint32 { return structHash(t, hashOf) })
	for p, h := range hashes {
		atomic.StoreUint32((*uint32)(platform.Pointer(p+typeHashOff)), h)
	}
	r.rehashItabs(md, hashes)
}

// rehashItabs adds the interface tables of types to the runtime's table again, with their new hash.
func (r *ReflectCaches) rehashItabs(md *ModuleData, hashes map[uintptr]uint32) {
	var list []uintptr
	r.host.EachItab(func(m *Itab) {
		if h, ok := hashes[m.Typ]; ok {
			m.Hash = h
			list = append(list, AddressOf(m))
		}
	})
	if len(list) > 0 {
		r.host.AddItabs(md, list)
	}
}

// CopyOf returns the address of the copy of a type on the heap, or 0.
func (r *ReflectCaches) CopyOf(typ uintptr) uintptr { return r.copies[typ] }

// MadeType returns the type on the heap whose copy is the descriptor at addr, or nil.
func (r *ReflectCaches) MadeType(md *ModuleData, addr uintptr) unsafe.Pointer {
	return r.kept.at(md, addr)
}

// rehash adds every type with its current hash as the key. The entries with older hashes stay.
func (c *lookupCache) rehash(hash func(reflect.Type) uint32) {
	c.Lock()
	defer c.Unlock()
	type entry struct {
		hash uint32
		typ  reflect.Value
	}
	var missing []entry
	c.m.Range(func(key, v any) bool {
		list := reflect.ValueOf(v)
		for i := range list.Len() {
			eachType(list.Index(i), func(p unsafe.Pointer) {
				if h := hash(TypeAt(p)); h != key.(uint32) {
					missing = append(missing, entry{h, list.Index(i)})
				}
			})
		}
		return true
	})
	for _, e := range missing {
		list := reflect.MakeSlice(reflect.SliceOf(e.typ.Type()), 0, 1)
		if v, ok := c.m.Load(e.hash); ok {
			list = reflect.ValueOf(v)
		}
		if !contains(list, e.typ) {
			c.m.Store(e.hash, reflect.Append(list, e.typ).Interface())
		}
	}
}

func contains(list, v reflect.Value) bool {
	for i := range list.Len() {
		if list.Index(i).Equal(v) {
			return true
		}
	}
	return false
}

// funcHash returns the key of a type in the cache of reflect.FuncOf.
func funcHash(t reflect.Type, hashOf func(reflect.Type) uint32) uint32 {
	var h uint32
	for i := range t.NumIn() {
		h = fnvUint32(h, hashOf(t.In(i)))
	}
	if t.IsVariadic() {
		h = fnv(h, "v")
	}
	h = fnv(h, ".")
	for i := range t.NumOut() {
		h = fnvUint32(h, hashOf(t.Out(i)))
	}
	return h
}

// structHash returns the key of a type in the cache of reflect.StructOf.
func structHash(t reflect.Type, hashOf func(reflect.Type) uint32) uint32 {
	h := fnv(0, "struct {")
	for i := range t.NumField() {
		f := t.Field(i)
		h = fnv(fnvUint32(fnv(h, f.Name), hashOf(f.Type)), string(f.Tag))
	}
	return fnv(h, "}")
}

func fnv(h uint32, s string) uint32 {
	for i := range len(s) {
		h = h*16777619 ^ uint32(s[i])
	}
	return h
}

func fnvUint32(h, v uint32) uint32 {
	return fnv(h, string([]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}))
}

// heapBase is an address above the image and the arenas of loaded code, and below the heap of the runtime.
const heapBase = 1 << 31
