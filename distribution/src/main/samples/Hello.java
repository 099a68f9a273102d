// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package hello;

import io.faultline.device.*;
import io.faultline.mm.*;
import java.lang.foreign.MemorySegment;
import org.osgi.service.component.annotations.*;

@Component(service = MmapProvider.class) @Device(name = "hello") @RequireFaultline
public class Hello implements MmapProvider, VmOperations {
  private final Page page; // read, write and mmap all see its bytes
  private int areas; // that map it; the page's last bytes say how many
  @Activate public Hello(@Reference PageAllocator a) throws ErrnoException { page = a.allocate(); }
  @Deactivate void remove() { page.put(); }
  @Override public int read(OpenFile f, long p, MemorySegment out) { return copy(at(p), out); }
  @Override public int write(OpenFile f, long p, MemorySegment in) { return copy(in, at(p)); }
  @Override public void mmap(OpenFile f, MmapRequest area) { area.setOperations(this); count(1); }
  @Override public void open(Vma copy) { count(1); } // fork, or a split: never the first one
  @Override public void close(Vma area) { count(-1); }
  @Override public Nopage nopage(Vma vma, long address, Access access) { // a page is not there yet
    return vma.pageOffsetOf(address) == 0 ? Nopage.minor(page.get()) : Nopage.SIGBUS;
  }
  synchronized void count(int n) { page.segment().setString(4080, "areas: " + (areas += n)); }
  MemorySegment at(long position) { return page.segment().asSlice(Math.min(position, 4096)); }
  static int copy(MemorySegment from, MemorySegment to) {
    long n = Math.min(from.byteSize(), to.byteSize());
    return (int) to.asSlice(0, n).copyFrom(from.asSlice(0, n)).byteSize();
  }
}
