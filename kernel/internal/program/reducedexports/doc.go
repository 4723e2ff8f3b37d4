// Package reducedexports makes copies of the export data of compiled packages that the compiler reads
// faster.
//
// A small cell uses a few objects of a package, such as fmt.Println, but the compiler reads three lists as a whole
// when it imports a package: the objects that code may name, and for each package that the export data mentions, the packages
// that it imports. A copy has the same bytes in the same places, but these lists are
// shorter (reduce.go). So numbers of symbols, positions and the fingerprint are those of the original, and an
// object that was compiled against a copy can be linked as if it were compiled against the original.
//
// A copy has the objects that the units of a notebook have named so far, and all that these refer to (copies.go).
package reducedexports
