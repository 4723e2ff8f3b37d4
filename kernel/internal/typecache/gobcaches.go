package typecache

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/perijove/perijove/kernel/internal/goruntime"
	"github.com/perijove/perijove/kernel/internal/platform"
)

// gobCaches holds package variables and functions of encoding/gob. Package gob gives types numbers, and the description
// of a type contains the numbers of its parts. So if a type gains or loses methods that encode it, its new description
// gets the old number.
type gobCaches struct {
	lock  *sync.Mutex                          // guards types and ids
	types *map[reflect.Type]gobType            // describes each type that gob has encoded or decoded
	ids   *[]gobType                           // descriptions by number
	infos *atomic.Value                        // a map[reflect.Type]*typeInfo, with the encoders
	users *sync.Map                            // maps reflect.Type to *userTypeInfo, which says how a type encodes itself
	user  func(reflect.Type) (*gobUser, error) // adds to users
	info  func(*gobUser) (*gobInfo, error)     // adds to types and infos
}

// A gobType has the layout of encoding/gob's interface of that name.
type gobType struct{ tab, data unsafe.Pointer }

// gobCommon mirrors encoding/gob.CommonType, with which all descriptions begin.
type gobCommon struct {
	Name string
	Id   int32
}

// gobUser mirrors encoding/gob.userTypeInfo.
type gobUser struct {
	user, base               reflect.Type
	indir                    int
	externalEnc, externalDec int
	encIndir, decIndir       int8
}

// gobInfo mirrors the beginning of encoding/gob.typeInfo.
type gobInfo struct{ id int32 }

// firstGobID is firstUserId of encoding/gob: lower numbers are those of basic types.
const firstGobID = 64

func newGobCaches(h *goruntime.Runtime) (*gobCaches, error) {
	g := &gobCaches{}
	var errs [7]error
	g.lock, errs[0] = goruntime.Var[sync.Mutex](h, "encoding/gob.typeLock")
	g.types, errs[1] = goruntime.Var[map[reflect.Type]gobType](h, "encoding/gob.types")
	g.ids, errs[2] = goruntime.Var[[]gobType](h, "encoding/gob.idToTypeSlice")
	g.infos, errs[3] = goruntime.Var[atomic.Value](h, "encoding/gob.typeInfoMap")
	g.users, errs[4] = goruntime.Var[sync.Map](h, "encoding/gob.userTypeCache")
	g.user, errs[5] = goruntime.Func[func(reflect.Type) (*gobUser, error)](h, "encoding/gob.validUserType")
	g.info, errs[6] = goruntime.Func[func(*gobUser) (*gobInfo, error)](h, "encoding/gob.getTypeInfo")
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// encodes says with which interfaces a type encodes and decodes itself. The values are those of gob's userTypeInfo.
type encodes struct{ enc, dec int }

func (g *gobCaches) encodes(t reflect.Type) encodes {
	v, ok := g.users.Load(t)
	if !ok {
		return encodes{}
	}
	u := (*gobUser)(reflect.ValueOf(v).UnsafePointer())
	return encodes{u.externalEnc, u.externalDec}
}

// forget updates gob's caches after the methods of the types with these descriptors have changed. It returns the names
// of types that gob knows and that are now encoded in another way.
func (g *gobCaches) forget(addrs map[uintptr]bool) (other []string) {
	changed := typesOf(addrs)
	was := map[reflect.Type]encodes{}
	g.users.Range(func(k, _ any) bool {
		if t := k.(reflect.Type); containsType(t, changed, map[reflect.Type]bool{}) {
			was[t] = g.encodes(t)
		}
		return true
	})
	if len(was) == 0 {
		return nil
	}
	g.users.Clear()
	again := map[reflect.Type]bool{}
	for t, e := range was {
		if u, err := g.user(t); err == nil && (e != encodes{u.externalEnc, u.externalDec}) {
			again[t] = true
			other = append(other, strings.TrimPrefix(strings.TrimLeft(t.String(), "*"), "main."))
		}
	}
	g.describe(was, again)
	return other
}

// describe makes gob make new descriptions of the types in again, and of the types that contain them. It also removes
// the encoders of the types in known; gob makes them again when it needs them.
func (g *gobCaches) describe(known map[reflect.Type]encodes, again map[reflect.Type]bool) {
	g.lock.Lock()
	g.dropInfos(known)
	old := map[reflect.Type]int32{}
	for t, gt := range *g.types {
		if containsType(t, again, map[reflect.Type]bool{}) {
			old[t] = (*gobCommon)(gt.data).Id
		}
	}
	for t := range old {
		delete(*g.types, t)
	}
	g.lock.Unlock()
	infos := map[reflect.Type]*gobInfo{}
	for _, t := range inOrder(old) {
		if u, err := g.user(t); err == nil {
			if info, err := g.info(u); err == nil {
				infos[t] = info
			}
		}
	}
	g.lock.Lock()
	defer g.lock.Unlock()
	renumber := map[int32]int32{}
	for t, id := range old {
		if gt, ok := (*g.types)[t]; ok && id >= firstGobID {
			if now := (*gobCommon)(gt.data).Id; now >= firstGobID && now != id {
				renumber[now] = id
				(*g.ids)[id] = gt
			}
		}
	}
	for t := range old {
		if gt, ok := (*g.types)[t]; ok {
			gt.renumber(renumber)
		}
		if info := infos[t]; info != nil {
			if id, ok := renumber[info.id]; ok {
				info.id = id
			}
		}
	}
}

// inOrder returns the types in the order in which gob must describe them. Types with a name come first, since gob gives
// no name to a type that it first describes as a part of another.
func inOrder(ids map[reflect.Type]int32) []reflect.Type {
	return slices.SortedFunc(maps.Keys(ids), func(a, b reflect.Type) int {
		if (a.Name() != "") != (b.Name() != "") {
			return cmp.Compare(b.Name(), a.Name()) // the empty name last
		}
		return cmp.Or(cmp.Compare(ids[a], ids[b]), cmp.Compare(a.String(), b.String()))
	})
}

// dropInfos makes gob forget the encoders of types.
func (g *gobCaches) dropInfos(known map[reflect.Type]encodes) {
	all := reflect.ValueOf(g.infos.Load())
	if !all.IsValid() {
		return
	}
	kept := reflect.MakeMap(all.Type())
	for it := all.MapRange(); it.Next(); {
		t := it.Key().Interface().(reflect.Type)
		if _, ok := known[t]; !ok {
			kept.SetMapIndex(it.Key(), it.Value())
		}
	}
	g.infos.Store(kept.Interface())
}

// renumber replaces numbers of types in a description.
func (gt gobType) renumber(numbers map[int32]int32) {
	t := (*goruntime.Itab)(gt.tab).Typ // a pointer to a struct type
	var v any
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[0] = platform.Pointer(t)
	(*[2]unsafe.Pointer)(unsafe.Pointer(&v))[1] = gt.data
	renumberValue(reflect.ValueOf(v), numbers)
}

func renumberValue(v reflect.Value, numbers map[int32]int32) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			renumberValue(v.Elem(), numbers)
		}
	case reflect.Slice:
		for i := range v.Len() {
			renumberValue(v.Index(i), numbers)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			renumberValue(v.Field(i), numbers)
		}
	case reflect.Int32: // all int32 fields are numbers of types
		if id, ok := numbers[int32(v.Int())]; ok {
			v.SetInt(int64(id))
		}
	}
}

// typesOf returns the types with these descriptors, and the element types of pointers among them.
func typesOf(addrs map[uintptr]bool) map[reflect.Type]bool {
	types := map[reflect.Type]bool{}
	for p := range addrs {
		t := goruntime.TypeAt(platform.Pointer(p))
		types[t] = true
		if t.Kind() == reflect.Pointer { // gob also uses the methods of *T for values of T
			types[t.Elem()] = true
		}
	}
	return types
}

// containsType reports whether t is, or contains, one of the types.
func containsType(t reflect.Type, types, seen map[reflect.Type]bool) bool {
	if types[t] {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Map:
		return containsType(t.Key(), types, seen) || containsType(t.Elem(), types, seen)
	case reflect.Array, reflect.Chan, reflect.Pointer, reflect.Slice:
		return containsType(t.Elem(), types, seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if containsType(t.Field(i).Type, types, seen) {
				return true
			}
		}
	}
	return false
}
