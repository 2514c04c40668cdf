/** Words for the names of containers that nobody named: one of each list, `calm_hopper`. */

export const adjectives: readonly string[] = `
  able agile airy alert ample amused apt ardent arctic astute autumn awake balmy beaming bold bonny brave breezy brief bright brisk
  bubbly calm candid careful cheery chipper civil classy clear clever coastal cosy crafty crisp curious daring deft dewy diligent
  dreamy eager early earnest easy elated electric elegant eloquent eminent epic fabled fair faithful famous fancy fearless festive
  fleet floral fluent fond frank free fresh friendly frosty gallant gentle giddy gifted glad gleaming golden grand grateful handy
  happy hardy harmonic hearty helpful honest hopeful humble ideal inventive jaunty jolly jovial joyful keen kind kindly lasting
  lively loyal lucid lucky lunar magnetic mellow merry mighty mindful modest musical neat nimble noble northern novel oceanic open
  orderly patient peaceful pearly placid playful pleasant plucky poetic polite proud quick quiet radiant rapid ready regal relaxed
  robust rosy rustic sage salty serene sharp shining silent silver sincere sleek smooth snowy snug soaring social solar solid
  sparkling spirited spry stable starry steady stellar stoic sturdy subtle sunny supple swift tactful tender thrifty tidy tranquil
  trusty upbeat valiant verdant vibrant vigilant vivid warm watchful wise witty wondrous worthy young zealous zesty`
  .trim()
  .split(/\s+/);

/** People of science, sea and engineering. */
export const surnames: readonly string[] = `
  agnesi alhazen amundsen anning archimedes aristarchus avicenna babbage banneker barents bell bering bernoulli bohr bolyai boole
  bose boyle brahe brunel cabot cantor carson carver cassini cavendish chandrasekhar chatelet church clarke colden cook copernicus
  cori curie cuvier darwin davy descartes dijkstra dirac drake earhart easley eddington edison einstein elion engelbart eratosthenes
  euclid euler fahrenheit faraday fermat fermi feynman fibonacci franklin fulton galilei galois gauss germain gibbs goodall gray
  hall halley hamilton harrison harvey hawking heisenberg herschel hertz heyrovsky hilbert hodgkin hooke hopper hubble humboldt
  huygens hypatia jemison jenner johnson joliot kepler kirch knuth kovalevskaya lagrange lamarr laplace lavoisier leakey leavitt
  leibniz lindgren linnaeus lister lovelace lovell magellan margulis maxwell mayer mccarthy mcclintock meitner mendel mendeleev
  mercator merian mitchell moore morse nansen napier nash neumann newton nightingale nobel noether ohm papin pascal pasteur pauli
  planck poincare polo priestley ptolemy pythagoras raman ramanujan ride ritchie rontgen rubin rutherford sagan salk scott
  shackleton shannon snow somerville stallman swan tasman tereshkova tesla thales thompson torvalds turing vespucci villani volta
  wallis watt wegener wien wiles wright wu yalow yonath`
  .trim()
  .split(/\s+/);
