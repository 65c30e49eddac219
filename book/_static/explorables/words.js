// The words of the scripts in the language of the site: in English none are
// needed, in another language the build of its site writes them here.
export default {};
