"use strict";

// Each dub is a section of its own: its player, chart and table know nothing of the others.
for (const section of document.querySelectorAll("[data-dub]")) {
  const video = section.querySelector("video");
  const frame = section.querySelector(".player");
  const playhead = section.querySelector(".playhead");
  const rows = [...section.querySelectorAll("tr[data-from]")];
  if (!video) continue;

  const seek = (seconds) => {
    const go = () => {
      video.currentTime = seconds;
      video.play().catch(() => {});
    };
    if (video.readyState >= 1) go();
    else {
      video.addEventListener("loadedmetadata", go, { once: true });
      video.load();
    }
  };

  section.addEventListener("click", (event) => {
    const target = event.target.closest("[data-seek]");
    if (target) seek(Number(target.dataset.seek));
  });

  video.addEventListener("timeupdate", () => {
    const now = video.currentTime;
    if (playhead && playhead.dataset.length > 0) {
      const share = `${Math.min((100 * now) / playhead.dataset.length, 100)}%`;
      playhead.setAttribute("x1", share);
      playhead.setAttribute("x2", share);
      playhead.classList.add("moving");
    }
    for (const row of rows) {
      const current = row.dataset.from <= now && now < row.dataset.to;
      row.classList.toggle("current", current);
    }
  });

  video.addEventListener("play", () => {
    for (const other of document.querySelectorAll("video")) if (other !== video) other.pause();
    frame.classList.add("started");
  });

  video.addEventListener("error", () => frame.classList.add("broken"));
  if (video.error) frame.classList.add("broken");

  // While it plays the picture stays in sight, small in a corner once it is scrolled away.
  new IntersectionObserver(([entry]) => {
    const above = !entry.isIntersecting && entry.boundingClientRect.top < 0;
    const inSection = section.getBoundingClientRect().bottom > 0;
    frame.classList.toggle("floating", above && inSection);
  }).observe(frame);
}
