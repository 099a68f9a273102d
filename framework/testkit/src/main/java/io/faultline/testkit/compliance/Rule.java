// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit.compliance;

/** What the contract between kernel and driver asks of a driver. Pages are of LDD3, chapter 15. */
public enum Rule {
  /** A hole is SIGBUS, at once. */
  HOLE_IS_SIGBUS("LDD3 p. 428, p. 433",
      "Where the device has no page, nopage answers Nopage.SIGBUS, and at once: no page of zeros, no"
          + " null, no waiting for a page to appear. (In later kernels VM_FAULT_NOPAGE is no twin of"
          + " NOPAGE_SIGBUS: for a hole it makes the access fault for ever.)"),
  /** A page is returned with a reference for the kernel. */
  PAGE_HAS_A_REFERENCE("LDD3 p. 427",
      "nopage takes one reference, page.get(), on each page that it returns: the kernel drops it when"
          + " the page is unmapped. None, and the page is freed under the driver."),
  /** No reference is taken that nobody drops. */
  NO_REFERENCE_IS_LEAKED("LDD3 p. 427",
      "nopage takes one reference on each page that it returns, and no more: nobody drops the"
          + " others, and the page is never freed."),
  /** Freed pages are not returned. */
  PAGE_IS_ALIVE("LDD3 p. 427",
      "nopage returns, read and write copy, pages that the driver holds. One that was put may be"
          + " another's by now."),
  /** open and close are counted. */
  AREAS_ARE_COUNTED("LDD3 p. 421, p. 431 f.",
      "A driver that counts its areas counts one more in mmap and in each open, one less in each"
          + " close. open comes for every further reference (fork, split, mremap), close for every"
          + " area, once. What is mapped stays until the last one is closed, and goes then."),
  /** A refused mmap is not counted. */
  REFUSED_MMAP_LEAVES_NOTHING("LDD3 p. 432; MmapProvider.mmap",
      "mmap counts as the last thing it does: when it refuses there is no area, and close is not"
          + " called."),
  /** Where there is no memory the driver says so. */
  SHORTAGE_IS_TOLD("LDD3 p. 426, p. 428",
      "Where allocate, remapPfnRange or insertPage say ENOMEM, mmap and write refuse with an errno and"
          + " nopage answers Nopage.OOM: the kernel finds memory and asks again. Nothing throws, and"
          + " no mmap goes on whose pages are not there."),
  /** An area is not used after close. */
  AREA_IS_NOT_KEPT("LDD3 p. 421",
      "After close the area is gone. A driver that keeps a Vma forgets it there, and does not look at"
          + " it again."),
  /** Each address shows the page of its offset. */
  PAGE_OF_ITS_OFFSET("LDD3 p. 428, p. 433",
      "An address of an area stands for the page vma.pageOffsetOf(address) of the device: the distance"
          + " from the area's start and the area's own offset, which mmap's caller, a split and a"
          + " move set."),
  /** read, write and mmap see the same bytes. */
  READ_AND_WRITE_SEE_WHAT_IS_MAPPED("LDD3 p. 431, p. 433 f.",
      "A page of the device has one content: read and write see the bytes that processes have mapped,"
          + " and processes see what was written."),
  /** All who map a page share it. */
  ONE_PAGE_FOR_ONE_OFFSET("LDD3 p. 433",
      "All who map a page of the device share one page, those who touch it first at the same moment"
          + " too. Finding a page and making it is one step, under the device's lock (the book's"
          + " semaphore)."),
  /** Callbacks answer in time and do not throw. */
  CALLBACKS_ANSWER("VmOperations, MmapProvider",
      "A callback returns within the device's time limit, with an answer or an ErrnoException where"
          + " its contract has one. The kernel contains what it does else, but the access or call is"
          + " lost."),
  /** After removal all frames are back. */
  FRAMES_COME_BACK("LDD3 ch. 2, The Cleanup Function",
      "When the driver has gone, it has put every page that it allocated."),
  /** After removal accesses are refused, and the driver was closed properly. */
  UNPLUGGED_IS_SIGBUS("VmOperations.close; README, what removing a driver does",
      "When the driver is removed its areas are closed while its code is still there; from then on"
          + " every access to them is what @Device(unplug) says, SIGBUS, and nobody else notices."),
  /** An upgrade changes nothing that processes can see. */
  UPGRADE_IS_NOT_SEEN("HandOver",
      "When another version takes over, all goes on as if nothing had happened: every page holds what"
          + " it held, every area and open file is adopted, and counted. What the new version must"
          + " know, the old one writes in saveState, its pages with writePage."),
  /** A driver that comes back finds what was left. */
  WHAT_IS_LEFT_IS_ADOPTED("HandOver; UnplugPolicy",
      "When the driver comes back, stopped and started or updated, it is given what it had saved, and"
          + " asked to adopt the files and areas that were left: it attaches its operations to each area,"
          + " counts it, and maps again what it had mapped up front (Adoption.pagesLost). Pages that"
          + " saveState wrote hold what they held."),
  /** After removal the class loader can be collected. */
  CLASS_LOADER_IS_COLLECTABLE("LDD3 ch. 2, The Cleanup Function",
      "When the driver has gone nothing refers to its classes: no thread, no ThreadLocal, no registry"
          + " of the JVM's. Otherwise every upgrade leaves a copy of the driver behind.");

  private final String book;
  private final String statement;

  Rule(String book, String statement) {
    this.book = book;
    this.statement = statement;
  }

  /** Where it is written. */
  public String book() {
    return book;
  }

  /** The rule itself, for a person to read. */
  public String statement() {
    return statement;
  }
}
